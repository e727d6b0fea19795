print("excite")
