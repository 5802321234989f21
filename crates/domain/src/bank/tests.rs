//! Files of banks, whole and broken.
