"""Where examples come from: files of texts and numbers, images, records, arrays."""
