"""What commands share: options, output, exit codes, asking before something is changed."""
