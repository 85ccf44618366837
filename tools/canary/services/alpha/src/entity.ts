// plants: only-persistence-opens-databases
import { DataSource } from 'typeorm';

export const source = DataSource;
