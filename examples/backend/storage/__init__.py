"""A small object store with presigned URLs, in the place of S3."""
