/** Entry of the simulated provider's thread. */
import { parentPort } from 'node:worker_threads';
import { startSimulator } from '../../shell/simulator/index.ts';

const simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: 'any' });
parentPort?.postMessage({ url: simulator.url });
