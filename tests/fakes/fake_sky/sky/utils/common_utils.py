"""The part of SkyPilot's own module that the bridge uses."""


def get_user_hash():
    return "user-1"
