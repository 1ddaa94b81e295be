"""Who people are: sign-in, second factor, sessions, devices, passwords, addresses, impersonation, audit."""
