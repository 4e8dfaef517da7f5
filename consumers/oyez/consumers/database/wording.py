"""How statements are recognized that a handler may not send, or that change what others see."""

import re

_SPACE = r"(?:\s|--[^\n]*+|/\*(?>.*?\*/))*+"
ENDING = re.compile(
    rf"^{_SPACE}(commit|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|end|abort|begin|start\s+transaction)\b"
    rf"|;{_SPACE}(commit|rollback|abort)(?:\s+(?:work|transaction))?{_SPACE};?{_SPACE}$",
    re.IGNORECASE | re.DOTALL,
)
SETTING = re.compile(
    rf"(?:^|;){_SPACE}(?:set|reset|discard|call|do)\b|\bset_config\b"
    rf"|^{_SPACE}select\s+[\w.\"]+\s*\((?!.*\bfrom\b)",
    re.IGNORECASE | re.DOTALL,
)
