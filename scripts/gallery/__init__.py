"""Models small enough to prove (scripts/train_gallery.py), and what that costs (docs/zk-gallery.md)"""
