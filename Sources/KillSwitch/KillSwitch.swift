// KillSwitch
