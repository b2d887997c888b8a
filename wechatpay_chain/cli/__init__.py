"""``wxpay``, the command line. The commands are loaded when they run."""
