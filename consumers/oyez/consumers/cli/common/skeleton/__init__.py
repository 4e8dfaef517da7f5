"""The small application that `oyez init` makes."""
