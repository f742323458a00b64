from libs.common import settings


class Settings(settings.Settings):
    port: int = 8102
