"""The transport "inline": handlers run in the transaction of whoever announces."""
