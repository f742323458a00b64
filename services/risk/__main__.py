from libs.common.run import run
from services.risk.service import service

run(service)
