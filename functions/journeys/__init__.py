"""Functions of the journeys area: journeys of leads, their template, and the active clients they became."""
