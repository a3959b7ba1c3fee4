"""The seams, as protocols. Each has few verbs and a written failure contract; adapters stand outside."""
