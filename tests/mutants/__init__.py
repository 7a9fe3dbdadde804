"""Break the code in small ways, and say which breakage no test notices."""
