export { readChat } from './read-request.ts';
