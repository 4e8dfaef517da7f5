"""The collector: the door for events from outside, of browsers and of other systems, over HTTP."""
