"""What keeps values between calls: variables, modules, tensor arrays, random generators."""
