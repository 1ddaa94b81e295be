"""Google Cloud, one small file a service. Google's libraries are imported when a client is made, not before."""
