"""How each kind of target is spoken to: one small module for each."""
