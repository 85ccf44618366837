// plants: inner-rings-know-no-nest
import { Controller } from '@nestjs/common';

export const controller = Controller;
