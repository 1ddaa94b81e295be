"""Files of every area: what may be kept, who may see it, and that nothing is lost or left behind."""
