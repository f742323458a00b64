from libs.common.run import run
from services.registration.service import service

run(service)
