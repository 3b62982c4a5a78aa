"""HTTP: routes, parsing, answers. A handler parses, makes one call into generation or accounts, and writes."""
