int cgpio_x;
