"""Everything the functions share: the manifest, the runtime, the business areas and the ways to the outside."""
