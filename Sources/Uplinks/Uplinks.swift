// Uplinks
