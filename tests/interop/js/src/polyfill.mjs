// Promise.withResolvers for Node 20; js-libp2p 3 expects Node 22. Preloaded with node --import.
Promise.withResolvers ??= function () {
  const box = {}
  box.promise = new this((resolve, reject) => Object.assign(box, { resolve, reject }))
  return box
}
