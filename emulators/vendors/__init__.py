"""Stand-ins for the outside services, one file a vendor, each with the vendor's own paths, words and errors."""
