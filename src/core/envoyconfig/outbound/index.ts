/** Connections that applications open to the outside: what they meet here, and where they can lead. */
export { destinations } from './destinations.ts';
export { leaves } from './leaves.ts';
export { outboundListeners } from './listener.ts';
export { WEB_SOCKET_PROTOCOLS, webSocketRoutes, webSocketUpstreams } from './websockets.ts';
export type { OutboundAddress, OutboundHost, OutboundSettings } from './settings.ts';
