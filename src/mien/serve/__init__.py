"""The HTTP service, `mien serve`, and the page that reads faces in the browser, `mien page`.

Pictures, crops and videos come in, the library's answers go out; or the page does it all itself.

Nothing else knows FastAPI and uvicorn; no logic of faces is here. Nothing that is sent is written
to a disk, kept after its answer, or named in a log.

settings      what the operator chose: limits, token, origins
problems      every refusal as application/problem+json, with the next step
turns         the bounded queue: who may come in, and whose turn it is; fair between clients
gate          what stands before every request: token, origin, place in the queue, bytes, time
advice        the next step of who calls, where the library names the command line's
bodies        the body of a request -> pictures or a video, in memory alone
engine        pictures -> records, scores and figures, in threads that share one Recognizer
video_lines   a video -> JSON lines, frame by frame
live          a WebSocket: frames in, one record out, stale frames dropped
routes        the addresses under /v1, health and metrics, with examples for /docs
examples      what /docs shows of each address
schemas       the shapes of the answers, for clients that are made from /openapi.json
counters      what /metrics tells, and one line of log a request
counter_folder  where worker processes count, so that each can add up all
static_files  files held in memory, sent with ETag and gzip: the page, the documentation
application   all of it as one ASGI application
server        the socket, the signals, the log; one process or several
supervisor    replaces worker processes that ended, and ends those that hang
page_files  the files of the page that reads faces in the browser itself; the same as one file
onnx_dims   the face detector's file, made to take pictures of any size
page/       the page: plain JavaScript modules, HTML, CSS; onnxruntime for browsers in vendor/
"""
