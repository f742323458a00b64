from libs.common.run import run
from services.lobby.service import service

run(service)
