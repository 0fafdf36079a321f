"""stub"""

from aiohttp import web


class Page:
    def __init__(self, state, people):
        pass

    def routes(self):
        return []
