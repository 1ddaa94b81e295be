"""WordPress: WordPress.com and Jetpack sites by consent, every other site by an application password."""
