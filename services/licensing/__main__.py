from libs.common.run import run
from services.licensing.service import service

run(service)
