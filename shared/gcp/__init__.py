"""Google's services: one small file each, importing its library on first use."""
