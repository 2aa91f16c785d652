"""What others reach through a browser. No logic of faces in it.

page_files  the files of the page that reads faces in the browser itself; the same as one file
onnx_dims   the face detector's file, made to take pictures of any size
page/       the page: plain JavaScript modules, HTML, CSS; onnxruntime for browsers in vendor/
"""
