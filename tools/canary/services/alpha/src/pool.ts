// plants: only-persistence-opens-databases
import pg from 'pg';

export const pool = pg.Pool;
