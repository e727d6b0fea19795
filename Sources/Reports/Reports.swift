// Filled in with the first code of this target.
