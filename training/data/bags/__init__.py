"""A robot's own recordings: rosbag2 in its storages, read by topics and clocks."""
