"""Where new alerts, threats and detections are read: what all feeds share, and Red Canary's own. Vendors' are in `edr/`."""
