/// What SciPy 1.17.1 writes, compressed, in base64: `X` of three images as `MATBytes.images` has
/// them, and `y` = 10, 1, 9.
///
///     r, c, ch, n = np.meshgrid(*map(np.arange, (32, 32, 3, 3)), indexing="ij")
///     X = ((7 * r + 3 * c + 50 * ch + 11 * n) % 256).astype(np.uint8)
///     y = np.array([[10], [1], [9]], dtype=np.uint8)
///     scipy.io.savemat("svhn.mat", {"X": X, "y": y}, do_compression=True)
let scipyMATFile = """
  TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFNhdCBOb3YgMjEgMDU6MjI6MDQg
  MjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAUQQAAHic
  7ZlZUI0BGIZP+0JJEVFKREREtCgRERERJSIiUkqkiIiIiIiIKPu+7/u+7/u+71siSkR8hgsX5n2vunJq/jk3nYtneubM
  97xHX6FQOFZXKDTlVVseHcXvHw15DOSx+POo/XlU5NdfXlV//ZG8T6GlX960Wm07R7dW7X279wkdHDt6QsrMeYtWbti+
  7+iZy7fUdMtWNK9R176Je5uOfj37hQ+NGzspdfaCpWs27zp44vy1u5p65Spb1qrv0NSjXeeA3gMiY+LHT0mbu3DF+m17
  j5y+dPOBjkGFKlZ1Gjo39+zQNbBv2JARCROnpc9fsnrTzgPHz12987i0UaWq1vUau7b06tQtqH/EsFGJk2dkZC9ft3XP
  4VMXb9x/VsbYrLpNA6dmrb279AgeGDV8TNLUWZmLV23csf/Y2Su3H700NLGoadvIpUVbH/9eIYOiR45Lnj4na9naLbsP
  nbxw/d7TNxDu4Yt3EO7J6w8Q7nnOJwj36v1nCPf241cIl1vwHcLlfVFAuPxvahCu8IcmhCtS1YFwxRqlIZyKdhkIp17K
  EMKJmxBO3IRw4iaEEzchnLgJ4cRNCCduQjhxE8KJmxBO3IRw4iaEEzexfeqlsH1a+tg+3bLYPr1y2D6DCtg+o0rYPmMz
  bJ+JBbbPtBq2z7wGts+yFrbPqg62z7oets+mAbbPthG2z84R22ffBNvn0BTb59wc2+faEsKJmxBO3IRw4iaEEzchnLgJ
  4cRNCCduQjhxE8KJmxBO3IRw4iaEEzfJx4Mrts+pGbbPpQW2z60Vts+9DbbPox22z7MDts+rE7bPuwu2z8cf2+fbHdvn
  1xPbF9Ab2xfYF9sX1B/bFzwQ2xcyCNsXOhjbFz4U2xcZA+HETQgnbkI4cRPCiZsQTtyEcOImhBM3IZy4CeHETQgnbkI4
  cRPCiZv/fNNf/3NcBw9f4Dp48hrXwfMcXAev3uM6ePsR10FuAa6DvC+4DvK/4Too/IHroEgV10GxBq4DFW3lfaa8z0ry
  PiP5ZkzyzYTkmynJN3OSb5Yk36xIvlmTfLMh+WZL8s2O5Js9yTcHkm/OyvtMeZ+V5H1GPh48Sb55kXzzJvnmQ/LNl+Sb
  H8m3AJJvgSTfgki+BZN8CyH5FkryLZzkWyS2L2wIti9iGLYvaji2L3okti92NLYvbiyug/jxuA4SJuI6SJyM6yBpKq6D
  5Om4DlJm4jpInY3rIG0uroP0+bgOMrJxHWQuxnWQtYzM67lkXs8j83o+mdcLybxeROb1YjKvq5B5XZ3M61pkXtcl87oe
  mdcNyLxupLzPlPdZSd5n//v3HyTfnEi+uZB8cyP55k7yzUN5nynvs5K8z/737z9IvoWRfIsg+RZF8i2a5Fssybc4Mq/H
  k3k9gczriWReTyLzejKZ11PIvJ5K5vU0Mq+nk3k9g8zrmWRezyLz+iJcBwuW4jpYuALXwZLVuA6Wr8N1sGrjTxcih2sP
  AAAAKgAAAHic42NgYDAAYjYg5gBiTgYIYIXymYGYEYwZGSqBNBNQhIuRkwEAGPUA+w==
  """
