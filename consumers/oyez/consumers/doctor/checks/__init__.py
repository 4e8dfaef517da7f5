"""The checks, one a module: each looks at one thing, and changes nothing."""
