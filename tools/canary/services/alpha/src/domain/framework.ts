// plants: domain-is-pure-of-packages
import { Injectable } from '@nestjs/common';

export const decide = Injectable;
