// Allowed, or only there to be imported.
import { Table } from 'typeorm';

export const allowed = Table;
