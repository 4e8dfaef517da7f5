"""What commands delivery: options, output, exit codes, asking before something is changed."""
