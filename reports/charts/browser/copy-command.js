/**
 * Copy buttons. The clipboard interface is missing where a browser does not trust `file:` pages; there the text is
 * selected and copied the old way, and if that fails too it stays selected for the reader's own Ctrl-C.
 */
;(() => {
  /** @param {Element} element */
  function copySelected(element) {
    const selection = getSelection()
    selection?.selectAllChildren(element)
    const copied = document.execCommand('copy')
    if (copied) selection?.removeAllRanges()
    return copied
  }

  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.removeAttribute('hidden')
    button.addEventListener('click', async () => {
      const element = document.getElementById(button.getAttribute('data-copy') ?? '')
      if (element === null) return
      let copied = false
      try {
        await navigator.clipboard.writeText(element.textContent ?? '')
        copied = true
      } catch {
        copied = copySelected(element)
      }
      button.textContent = copied ? 'Copied' : 'Press Ctrl-C'
      setTimeout(() => {
        button.textContent = 'Copy'
      }, 2000)
    })
  }
})()
