from libs.common.run import run
from services.supervision.service import service

run(service)
